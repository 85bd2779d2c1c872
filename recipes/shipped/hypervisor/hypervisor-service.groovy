// Turns its machine into a hypervisor for virtual machines. See README.md.
service {
    name "hypervisor"
    icon "hypervisor.svg"
    type "UNDEFINED"

    elastic true
    numInstances 1
    minAllowedInstances 1
    maxAllowedInstances 100
    // The disks of virtual machines are here: nothing of it may be started
    // elsewhere as long as nobody proved that this machine is off.
    stateful true

    compute {
        template "SMALL_LINUX"
    }

    customProperties([
        "org.appliance.description": "Hypervisor: virtual machines under libvirt, on a machine of the pool",
        "org.appliance.packages": "libvirt-daemon libvirt-daemon-driver-qemu qemu-system-x86 qemu-utils openssl",
        "org.appliance.port": tlsPort
    ])

    lifecycle {
        install "hypervisor_install.sh"

        // Certificates are for this machine's address, which may be another one
        // after a restart.
        preStart {
            def process = ["./hypervisor_certificates.sh", context.privateAddress].execute()
            print process.text
            if (process.exitValue() != 0) {
                throw new IllegalStateException("hypervisor_certificates.sh exited with code ${process.exitValue()}")
            }
        }
        start "systemctl start appliance-libvirtd"

        startDetectionTimeoutSecs 120
        startDetection {
            ServiceUtils.isPortOccupied(tlsPort)
        }

        // What the appliance needs to use it. The key to it leaves as a secret.
        postStart {
            def facts = "./hypervisor_facts.sh".execute()
            def text = facts.text
            if (facts.exitValue() != 0) {
                throw new IllegalStateException("hypervisor_facts.sh exited with code ${facts.exitValue()}: ${text}")
            }
            def says = [:]
            text.eachLine { line ->
                def at = line.indexOf("=")
                if (at > 0) {
                    says[line.substring(0, at)] = line.substring(at + 1)
                }
            }
            def mine = context.attributes.thisInstance
            mine.setSecret("hypervisorKey", new File("pki/client.key").text)
            mine.hypervisor = new groovy.json.JsonBuilder([
                address: "${context.privateAddress}:${tlsPort}".toString(),
                ca: new File("pki/ca.pem").text,
                certificate: new File("pki/client.pem").text,
                device: says.device,
                bridge: says.bridge,
                cores: says.cores.toInteger(),
                memory: says.memory.toLong(),
                kvm: says.kvm == "true"
            ]).toString()
        }

        stopDetection {
            !ServiceUtils.isPortOccupied(tlsPort)
        }

        stop "hypervisor_stop.sh"
        shutdown "hypervisor_shutdown.sh"
    }

    customCommands([
        "virtualMachines": "hypervisor_virtualMachines.sh"
    ])
}
