import static Shell.*

service {
    name "chef"
    type "UNDEFINED"
    icon "chef.png"
    lifecycle {
        install "chef_install.sh"
        start "chef_start.sh"
        stop "chef_stop.sh"
        startDetectionTimeoutSecs 240
        startDetection { true }
        details { ["run list": runParams["run_list"].join(",")] }
    }
    customCommands([
        "run_chef": "chef_install.sh",
        "list": { role -> "role[$role]" }
    ])
}
