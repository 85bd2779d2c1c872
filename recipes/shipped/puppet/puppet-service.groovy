// A base to extend: a service that Puppet installs and configures. README.md
// says which properties a recipe sets.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

service {
    name "puppet"
    icon "puppet.svg"
    type "UNDEFINED"

    customProperties([
        "org.appliance.description": "Base recipe: a service by Puppet manifests",
        "org.appliance.packages": "puppet",
        "org.appliance.port": servicePort ?: ""
    ])

    // One run of Puppet. The report of the run is the result of the event.
    def converge = { dryRun ->
        new File("puppet-run.json").text = JsonOutput.toJson(runParams)
        def settings = [puppetMode, puppetManifest, puppetModules, puppetServer, puppetEnvironment, dryRun ? "plan" : "apply"]
        def process = (["./puppet_run.sh"] + settings.collect { "${it}".toString() }).execute()
        println process.text
        def report = new JsonSlurper().parseText(new File("puppet-report.json").text)
        if (process.exitValue() != 0) {
            throw new IllegalStateException("puppet: ${report.summary}; its output says why")
        }
        report
    }

    lifecycle {
        install "puppet_install.sh"
        start { converge(false) }
        startDetection { servicePort ? ServiceUtils.isPortOccupied(servicePort) : true }
    }

    customCommands([
        "converge": { converge(false) },
        "plan": { converge(true) }
    ])
}
