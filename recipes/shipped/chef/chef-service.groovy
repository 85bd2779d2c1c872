// A base to extend: a service that a Chef cookbook installs and configures.
// README.md says which properties a recipe sets.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

service {
    name "chef"
    icon "chef.svg"
    type "UNDEFINED"

    customProperties([
        "org.appliance.description": "Base recipe: a service by a Chef cookbook",
        "org.appliance.port": servicePort ?: ""
    ])

    // One run of the client. Its report is the result of the event.
    def converge = { dryRun ->
        def first = [:]
        first.putAll(runParams)
        if (!first.run_list) {
            first.run_list = ["role[${context.serviceName}]".toString()]
        }
        new File("first-boot.json").text = JsonOutput.prettyPrint(JsonOutput.toJson(first))
        def settings = [chefServerURL, chefEnvironment, chefCookbooks, chefValidationClient, dryRun ? "plan" : "apply"]
        def process = (["./chef_run.sh"] + settings.collect { "${it}".toString() }).execute()
        println process.text
        def report = new JsonSlurper().parseText(new File("chef-report.json").text)
        if (report.rebootNeeded) {
            context.attributes.thisInstance.rebootNeeded = report.summary
        }
        if (process.exitValue() != 0) {
            throw new IllegalStateException("chef: ${report.summary}")
        }
        report
    }

    lifecycle {
        install {
            def process = ["./chef_install.sh", chefArtifact, chefArtifactSHA256].execute()
            println process.text
            if (process.exitValue() != 0) {
                throw new IllegalStateException("chef_install.sh found and installed no client; its output says what to do")
            }
        }
        start { converge(false) }
        startDetection { servicePort ? ServiceUtils.isPortOccupied(servicePort) : true }
    }

    customCommands([
        "converge": { converge(false) },
        "plan": { converge(true) }
    ])
}
