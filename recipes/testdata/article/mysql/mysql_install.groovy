import org.cloudifysource.utilitydomain.context.ServiceContextFactory
import java.util.concurrent.TimeUnit

def context = ServiceContextFactory.getServiceContext()
def config = new ConfigSlurper().parse(new File("${context.serviceName}-service.properties").toURL())

def installed = new File("installed.txt")
installed.write("port=${config.jdbcPort}\n")
installed.append("instance=${context.instanceId}\n")
installed.eachLine { println "wrote $it" }

context.attributes.thisService["port"] = config.jdbcPort
context.attributes.thisInstance.setSecret("token", "s3cret-token")
println "token is ${context.attributes.thisInstance.token}"
if (!ServiceUtils.isLinuxOrUnix()) { System.exit(3) }
