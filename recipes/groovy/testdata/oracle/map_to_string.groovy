println([a: "x", b: null, c: [1], d: [e: 1]].toString())
println "${[a: 1]}"
println([a: 1].toMapString())
