def t = '<% if (x > 1) { %>big<% } else { %>small<% } %>'
def e = new groovy.text.SimpleTemplateEngine()
println e.createTemplate(t).make(x: 5).toString()
println e.createTemplate(t).make(x: 0).toString()
