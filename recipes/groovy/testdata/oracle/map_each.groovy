[a: 1, b: 2].each { k, v -> println "$k=$v" }
[a: 1].each { println it.key + it.value }
[a: 1, b: 2].eachWithIndex { e, i -> println "$i ${e.key}" }
[a: 1].eachWithIndex { k, v, i -> println "$i $k $v" }
for (e in [x: 9]) println "${e.key} ${e.value}"
[a: 1].each { println it }
