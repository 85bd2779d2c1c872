def members = ""
def add = { String m -> members = members ? members + "," + m : m }
def remove = { String m -> members = members.split(",").findAll { it != m }.join(",") }
add "http://10.0.0.1:8080"
add "http://10.0.0.2:8080"
add "http://10.0.0.3:8080"
remove "http://10.0.0.2:8080"
println members
def conf = new StringBuilder()
conf << "<Proxy balancer://mycluster>\n"
members.tokenize(",").each { conf << "    BalancerMember ${it} route=${it.replaceAll(/[^0-9]/, '')}\n" }
conf << "</Proxy>"
println conf
