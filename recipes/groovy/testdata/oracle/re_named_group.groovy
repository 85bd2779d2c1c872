def m = "2024-05" =~ /(?<y>\d{4})-(?<m>\d\d)/
m.matches()
println m.group("y")
