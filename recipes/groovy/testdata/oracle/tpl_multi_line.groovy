def t = '''server {
  listen ${port};
<% hosts.each { h -> %>  upstream "${h}";
<% } %>}
'''
println new groovy.text.SimpleTemplateEngine().createTemplate(t).make(port: 80, hosts: ["a", "b"]).toString()
