def template = '''[mysqld]
port = ${port}
bind-address = ${bind}
<% tunables.each { k, v -> %>${k} = ${v}
<% } %>'''
println new groovy.text.SimpleTemplateEngine().createTemplate(template).make(port: 3306, bind: "0.0.0.0", tunables: [query_cache_limit: "2M", max_connections: 100]).toString()
