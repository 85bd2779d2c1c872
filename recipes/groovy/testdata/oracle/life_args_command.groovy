def command = { String... params ->
    if (params.length < 1) return "usage: addUser NAME [ROLE]"
    def name = params[0]
    def role = params.length > 1 ? params[1] : "reader"
    "GRANT ${role.toUpperCase()} TO '${name}'"
}
println command()
println command("bob")
println command("al", "admin")
