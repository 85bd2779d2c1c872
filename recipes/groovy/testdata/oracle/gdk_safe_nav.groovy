def m = [a: [b: null]]
println m?.a?.b?.c
println m.zz?.length()
String s = null
println s?.toUpperCase()
println s?.size() ?: 0
