// Makes this instance the primary, or lets it follow the primary. It may run
// again, after every start.
import org.cloudifysource.utilitydomain.context.ServiceContextFactory
import java.util.concurrent.TimeUnit

config = new ConfigSlurper().parse(new File("mariadb-service.properties").toURL())
context = ServiceContextFactory.getServiceContext()
shared = context.attributes.thisService
me = context.instanceId

def user(name, password, grants) {
    return "CREATE USER IF NOT EXISTS '${name}'@'%' IDENTIFIED BY '${password}';\n" +
        "ALTER USER '${name}'@'%' IDENTIFIED BY '${password}';\n${grants};\n"
}

// open lets this instance take writes, and tells the others that it does.
def open() {
    if (!shared.replicationPassword) {
        shared.setSecret("replicationPassword", Database.password())
    }
    if (!shared.password) {
        shared.setSecret("password", Database.password())
    }
    def db = config.dbName
    Database.run("STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = OFF;\n" +
        "CREATE DATABASE IF NOT EXISTS `${db}` CHARACTER SET utf8mb4;\n" +
        user(config.replication.user, shared.replicationPassword,
            "GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, RELOAD, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER, PROCESS ON *.* TO '${config.replication.user}'@'%'") +
        user(config.dbUser, shared.password, "GRANT ALL PRIVILEGES ON `${db}`.* TO '${config.dbUser}'@'%'"))
    shared.user = config.dbUser
    shared.database = db
    shared.primary = me
    shared.primaryAddress = context.privateAddress
    shared.endpoint = "${context.privateAddress}:${config.jdbcPort}"
}

// follow copies the primary's data when this instance has none of its own, and
// replicates from it.
def follow(address) {
    def copied = new File("/var/lib/mysql/.copied-by-appliance")
    if (!copied.exists()) {
        new File("dump.cnf").text = "[client]\nuser=${config.replication.user}\npassword=${shared.replicationPassword}\n"
        ["chmod", "600", "dump.cnf"].execute().waitFor()
        def copy = ["sh", "-c", "exec 2>&1; mariadb-dump --defaults-extra-file=dump.cnf --host=${address} --port=${config.jdbcPort} " +
            "--all-databases --single-transaction --gtid --master-data=1 --flush-privileges > dump.sql && " +
            "{ echo 'STOP SLAVE; RESET SLAVE ALL; RESET MASTER; SET SESSION sql_log_bin = OFF;'; cat dump.sql; } | mariadb --protocol=socket --user=root"].execute()
        def output = copy.text
        new File("dump.sql").delete()
        new File("dump.cnf").delete()
        if (copy.exitValue() != 0) {
            throw new IllegalStateException("copy of the primary at ${address} failed: ${output}")
        }
        copied.text = address
    }
    Database.run("STOP SLAVE; CHANGE MASTER TO MASTER_HOST='${address}', MASTER_PORT=${config.jdbcPort}, " +
        "MASTER_USER='${config.replication.user}', MASTER_PASSWORD='${shared.replicationPassword}', MASTER_CONNECT_RETRY=5, " +
        "MASTER_USE_GTID=slave_pos; SET GLOBAL read_only = ON; START SLAVE;")
}

def primary = shared.primary
if (primary == null && me > 1) {
    // The first instance becomes the primary; wait until it is.
    def end = System.currentTimeMillis() + TimeUnit.MINUTES.toMillis(8)
    while ((primary = shared.primary) == null && System.currentTimeMillis() < end) {
        sleep 1000
    }
    if (primary == null) {
        throw new IllegalStateException("no instance has become the primary")
    }
}
if (primary == null || primary == me) {
    open()
    println "instance ${me} is the primary"
} else {
    follow(shared.primaryAddress)
    println "instance ${me} follows instance ${primary} at ${shared.primaryAddress}"
}
