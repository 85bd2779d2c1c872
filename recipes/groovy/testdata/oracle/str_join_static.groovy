println String.join("-", ["a", "b"])
println String.join("/", "x", "y", "z")
