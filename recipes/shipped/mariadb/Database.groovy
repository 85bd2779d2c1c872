// What the scripts of this recipe share: SQL as root over the socket. Secrets
// go by a file that only root reads, never by the arguments of a process.
class Database {
    static String run(String text, String format = "--skip-column-names") {
        def file = new File("query.sql")
        file.text = ""
        ["chmod", "600", "query.sql"].execute().waitFor()
        file.text = text
        def process = ["sh", "-c", "exec 2>&1; mariadb --protocol=socket --user=root --batch ${format} < query.sql".toString()].execute()
        def output = process.text
        file.delete()
        if (process.exitValue() != 0) {
            throw new IllegalStateException("SQL failed: ${output}")
        }
        return output.trim()
    }

    // What SHOW SLAVE STATUS says, by name; empty when this is no replica.
    static Map replication() {
        def status = [:]
        run("SHOW SLAVE STATUS;", "--vertical").eachLine { line ->
            def at = line.indexOf(":")
            if (at > 0) {
                status[line.substring(0, at).trim()] = line.substring(at + 1).trim()
            }
        }
        return status
    }

    static String password() {
        def process = ["od", "-An", "-N24", "-tx1", "/dev/urandom"].execute()
        return process.text.replaceAll("\\s", "")
    }
}
