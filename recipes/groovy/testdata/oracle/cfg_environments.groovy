def text = '''
url = "default"
environments {
    dev { url = "dev" }
    prod { url = "prod"; extra = 1 }
}
'''
println new ConfigSlurper().parse(text).url
println new ConfigSlurper("dev").parse(text).url
println new ConfigSlurper("prod").parse(text).extra
println new ConfigSlurper("test").parse(text).url
