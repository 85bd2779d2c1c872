def m = [
    a: 1,
    'b': [
        c: 2,
    ],
    "d-e": { it },
]
println m.b.c
println m["d-e"](9)
