// an install script that decides by operating system
config = new ConfigSlurper().parse('''
serviceName = "mysql"
version = "5.5"
port = 3306
packages { debian = ["mysql-server", "mysql-client"]; centos = ["mysql-server"] }
''')
def osName = "Debian"
def installCommands = []
switch (osName) {
    case ["Ubuntu", "Debian", "Mint"]:
        installCommands << "apt-get update"
        config.packages.debian.each { installCommands << "apt-get install -y ${it}" }
        break
    case ~/(?i)(Red Hat|CentOS|Fedora).*/:
        config.packages.centos.each { installCommands << "yum install -y ${it}" }
        break
    default:
        throw new Exception("Support for ${osName} is not implemented")
}
installCommands.eachWithIndex { c, i -> println "${i + 1}. ${c}" }
println "on port ${config.port}"
