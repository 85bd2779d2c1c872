// Custom command promote: makes this replica the primary. The appliance calls
// it once it has proof that the old primary is off; a person may, too.
import org.cloudifysource.utilitydomain.context.ServiceContextFactory

config = new ConfigSlurper().parse(new File("mariadb-service.properties").toURL())
context = ServiceContextFactory.getServiceContext()
shared = context.attributes.thisService

if (shared.primary == context.instanceId) {
    println "instance ${context.instanceId} is the primary already"
    return
}
// What the primary sent is applied before this instance takes writes.
Database.run("STOP SLAVE IO_THREAD;")
def applied = false
for (int i = 0; i < 300 && !applied; i++) {
    def status = Database.replication()
    if (status.Last_SQL_Error) {
        throw new IllegalStateException("this replica cannot apply what it has: ${status.Last_SQL_Error}")
    }
    applied = status.isEmpty() || status.Slave_SQL_Running_State?.contains("has read all relay log")
    sleep 200
}
if (!applied) {
    throw new IllegalStateException("this replica has not applied in a minute what it has received; promote it again")
}
Database.run("STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = OFF;")
shared.primary = context.instanceId
shared.primaryAddress = context.privateAddress
shared.endpoint = "${context.privateAddress}:${config.jdbcPort}"
println "instance ${context.instanceId} is the primary now"
