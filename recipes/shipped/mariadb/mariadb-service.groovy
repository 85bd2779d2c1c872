// MariaDB with replicas: one primary, the others follow it. See README.md.
service {
    name "mariadb"
    icon "mariadb.svg"
    type "DATABASE"

    elastic true
    numInstances 2
    minAllowedInstances 1
    maxAllowedInstances 5
    stateful true

    compute {
        template "SMALL_LINUX"
    }

    customProperties([
        "org.appliance.description": "MariaDB: a primary and replicas that take over",
        "org.appliance.packages": "mariadb-server",
        "org.appliance.port": jdbcPort
    ])

    lifecycle {
        install "mariadb_install.groovy"
        start "systemctl start mariadb"

        startDetectionTimeoutSecs 300
        startDetection {
            ServiceUtils.isPortOccupied(jdbcPort)
        }

        // Decides by the service's attributes whether this instance is the
        // primary, and makes it so, or lets it follow the primary.
        postStart "mariadb_postStart.groovy"

        stopDetection {
            !ServiceUtils.isPortOccupied(jdbcPort)
        }
        locator {
            ServiceUtils.ProcessUtils.getPidsWithName("mariadbd")
        }

        monitors {
            def query = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', 'Questions')"
            def process = ["mariadb", "--protocol=socket", "--batch", "--skip-column-names", "--execute", query].execute()
            process.text.readLines().collectEntries { line ->
                def (name, value) = line.split("\t").toList()
                [name.replace("_", " "), value.toInteger()]
            }
        }

        stop "systemctl stop mariadb"
        shutdown "mariadb_shutdown.sh"
    }

    customCommands([
        "promote": "mariadb_promote.groovy",
        "role": {
            context.attributes.thisService.primary == context.instanceId ? "primary" : "replica"
        },
        "createDatabase": "mariadb_createDatabase.sh"
    ])

    userInterface {
        metricGroups([
            metricGroup {
                name "Load"
                metrics(["Threads connected", "Questions"])
            }
        ])
    }
}
