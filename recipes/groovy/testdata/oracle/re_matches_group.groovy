def m = "John 25" =~ /(\w+) (\d+)/
if (m.matches()) { println m.group(1); println m.group(2); println m.groupCount() }
def (all, name, age) = m[0]
println name + age
