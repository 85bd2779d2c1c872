// MySQL-compatible database: Debian's MariaDB. See README.md.
service {
    name "mysql"
    icon "mysql.svg"
    type "DATABASE"

    elastic true
    numInstances 1
    minAllowedInstances 1
    maxAllowedInstances 3
    stateful true

    compute {
        template "SMALL_LINUX"
    }

    customProperties([
        "org.appliance.description": "MySQL-compatible database (Debian's MariaDB)",
        "org.appliance.packages": "mariadb-server",
        "org.appliance.port": jdbcPort
    ])

    lifecycle {
        install "mysql_install.sh"
        start "mysql_start.sh"

        startDetectionTimeoutSecs 300
        startDetection {
            ServiceUtils.isPortOccupied(jdbcPort)
        }

        // The script makes database, user and password on this machine; only
        // the password's file is read here, and it leaves as a secret.
        postStart {
            def process = "./mysql_postStart.sh".execute()
            print process.text
            if (process.exitValue() != 0) {
                throw new IllegalStateException("mysql_postStart.sh exited with code ${process.exitValue()}")
            }
            def scope = context.instanceId == 1 ? context.attributes.thisService : context.attributes.thisInstance
            scope.setSecret("password", new File("mysql.password").text.trim())
            scope.user = dbUser
            scope.database = dbName
            scope.endpoint = "${context.privateAddress}:${jdbcPort}"
        }

        stopDetection {
            !ServiceUtils.isPortOccupied(jdbcPort)
        }

        stop "mysql_stop.sh"
        shutdown "mysql_shutdown.sh"
    }

    customCommands([
        "createDatabase": "mysql_createDatabase.sh",
        "version": "mysql_version.sh"
    ])
}
