// Installs and configures Debian's MariaDB. It may run again. The database is
// left stopped and its unit disabled: the agent starts it, after the appliance
// has confirmed this machine.
import org.cloudifysource.utilitydomain.context.ServiceContextFactory

config = new ConfigSlurper().parse(new File("mariadb-service.properties").toURL())
context = ServiceContextFactory.getServiceContext()

// The configuration comes first, so that the first start already uses it. Every
// instance starts read-only; the primary opens itself once it knows that it is.
new File("/etc/mysql/mariadb.conf.d").mkdirs()
new File("/etc/mysql/mariadb.conf.d/90-appliance.cnf").text = """[mysqld]
bind-address                    = 0.0.0.0
port                            = ${config.jdbcPort}
server_id                       = ${context.instanceId}
skip-name-resolve
read_only                       = ON
log_bin                         = /var/lib/mysql/binlog
log_slave_updates               = ON
gtid_strict_mode                = ON
sync_binlog                     = 1
rpl_semi_sync_master_enabled    = ON
rpl_semi_sync_master_timeout    = ${config.replication.patience}
rpl_semi_sync_master_wait_point = AFTER_SYNC
rpl_semi_sync_slave_enabled     = ON
innodb_buffer_pool_size         = ${config.bufferPool}
innodb_log_file_size            = 32M
key_buffer_size                 = 8M
max_connections                 = 50
performance_schema              = OFF

[client]
port                            = ${config.jdbcPort}
"""

// The package enables its unit: a masked one starts in no case.
new AntBuilder().sequential {
    exec(executable: "systemctl", failonerror: "true") { arg(line: "mask mariadb") }
    exec(executable: "apt-get", failonerror: "true") { arg(line: "-q update") }
    exec(executable: "apt-get", failonerror: "true") {
        env(key: "DEBIAN_FRONTEND", value: "noninteractive")
        arg(value: "-q")
        arg(value: "-y")
        arg(value: "-oDpkg::Options::=--force-confdef")
        arg(value: "-oDpkg::Options::=--force-confold")
        arg(value: "install")
        arg(value: "--no-install-recommends")
        arg(value: "mariadb-server")
    }
    exec(executable: "systemctl", failonerror: "true") { arg(line: "unmask mariadb") }
    exec(executable: "systemctl", failonerror: "true") { arg(line: "disable mariadb") }
    exec(executable: "systemctl", failonerror: "true") { arg(line: "stop mariadb") }
}
