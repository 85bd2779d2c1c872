// Web server and front of other services: Debian's nginx. See README.md.
service {
    name "nginx"
    icon "nginx.svg"
    type "WEB_SERVER"

    elastic true
    numInstances 1
    minAllowedInstances 1
    maxAllowedInstances 20
    stateful false

    compute {
        template "SMALL_LINUX"
    }

    customProperties([
        "org.appliance.description": "Web server (Debian's nginx), front of other services",
        "org.appliance.packages": "nginx libnginx-mod-stream",
        "org.appliance.port": httpPort
    ])

    lifecycle {
        install "nginx_install.sh"

        // What the service behind has left for us: its endpoint, host:port.
        preStart {
            def endpoint = backendService ? context.attributes[backendService].endpoint : null
            if (backendService && !endpoint) {
                throw new IllegalStateException("service ${backendService} has not said where it is: attribute endpoint is not set")
            }
            new File("backend").text = endpoint ?: ""
            def process = "./nginx_configure.sh".execute()
            print process.text
            if (process.exitValue() != 0) {
                throw new IllegalStateException("nginx_configure.sh exited with code ${process.exitValue()}")
            }
        }
        start "nginx_start.sh"

        startDetectionTimeoutSecs 120
        startDetection {
            ServiceUtils.getHttpReturnCode("http://127.0.0.1:${httpPort}/healthz") == 200
        }

        postStart {
            context.attributes.thisInstance.endpoint = "${context.privateAddress}:${httpPort}"
            if (context.instanceId == 1) {
                context.attributes.thisService.endpoint = "${context.privateAddress}:${httpPort}"
            }
        }

        // The service behind may have moved, or a replica taken over: nginx
        // passes on to where it is now, without a gap.
        stopDetection {
            def file = new File("backend")
            def before = file.text
            def endpoint = before
            try {
                endpoint = backendService ? context.attributes[backendService].endpoint : null
            } catch (Exception e) {
                println "where ${backendService} is could not be asked: ${e.message}"
            }
            if (endpoint && endpoint != before) {
                file.text = endpoint
                def process = ["/bin/bash", "-c", "./nginx_configure.sh && ./nginx_reload.sh"].execute()
                print process.text
                if (process.exitValue() != 0) {
                    file.text = before // it is tried again
                }
            }
            !ServiceUtils.isPortOccupied(httpPort)
        }

        // Before an instance is changed or stopped: /healthz says 503 for as
        // long as balancers and clients need to see it; requests are answered.
        drain "nginx_drain.sh"
        stop "nginx_stop.sh"
        shutdown "nginx_shutdown.sh"
    }

    customCommands([
        "version": "nginx_version.sh",
        "reload": "nginx_reload.sh",
        "check": "nginx_check.sh"
    ])
}
