def e = new groovy.text.SimpleTemplateEngine()
println e.createTemplate('Hello ${name}, $greeting!').make([name: "Bob", greeting: "bye"]).toString()
println e.createTemplate('<% for (i in 1..3) { %>${i},<% } %>end').make([:]).toString()
println e.createTemplate('<%= a + b %>').make([a: 1, b: 2])
