application {
    name = "db"

    service {
        name = "mysql-vanilla"
    }
    service {
        dependsOn = ["mysql-vanilla"]
        name = "front"
        numInstances = 2
        lifecycle { stop null }
    }
}
