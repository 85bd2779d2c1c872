// The same recipe for every compute: a small HTTP server, in what every Debian has.
service {
    name "greeter"
    type "WEB_SERVER"
    numInstances 1
    stateful false

    compute {
        template "SMALL_LINUX"
    }

    customProperties([
        "org.appliance.port": 18080
    ])

    lifecycle {
        install "greeter_install.sh"
        start "greeter_start.sh"
        startDetectionTimeoutSecs 60
        startDetection {
            ServiceUtils.isPortOccupied(18080)
        }
        postStart {
            context.attributes.thisInstance.greeting = new File("greeting").text.trim()
        }
        stop "greeter_stop.sh"
    }

    customCommands([
        "greet": "greeter_greet.sh"
    ])
}
