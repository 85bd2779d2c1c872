def a = "x"
println(["$a", "y"].join("-"))
println(["$a"].contains("x"))
println(["x"].contains("$a"))
println("$a" in ["x"])
println "$a".toString() in ["x"]
