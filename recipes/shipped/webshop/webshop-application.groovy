// A web server in front of a database. See README.md.
application {
    name "webshop"

    service {
        name "mysql"
    }

    service {
        name "nginx"
        dependsOn(["mysql"])
    }
}
