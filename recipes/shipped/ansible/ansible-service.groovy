// A base to extend: a service that an Ansible playbook installs and
// configures, run on the machine itself. README.md says which properties a
// recipe sets.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

service {
    name "ansible"
    icon "ansible.svg"
    type "UNDEFINED"

    customProperties([
        "org.appliance.description": "Base recipe: a service by an Ansible playbook",
        "org.appliance.packages": "ansible-core",
        "org.appliance.port": servicePort ?: ""
    ])

    // One run of the playbook. Its report is the result of the event.
    def converge = { dryRun ->
        new File("ansible-vars.json").text = JsonOutput.toJson(runParams)
        def settings = [ansiblePlaybook, ansibleTags, dryRun ? "plan" : "apply"]
        def process = (["./ansible_run.sh"] + settings.collect { "${it}".toString() }).execute()
        println process.text
        def report = new JsonSlurper().parseText(new File("ansible-report.json").text)
        if (process.exitValue() != 0) {
            throw new IllegalStateException("ansible: ${report.summary}; its output says why")
        }
        report
    }

    lifecycle {
        install "ansible_install.sh"
        start { converge(false) }
        startDetection { servicePort ? ServiceUtils.isPortOccupied(servicePort) : true }
    }

    customCommands([
        "converge": { converge(false) },
        "plan": { converge(true) }
    ])
}
