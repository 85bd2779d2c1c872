def words = "the quick the lazy the end".split()
println words.inject([:]) { m, w -> m[w] = (m[w] ?: 0) + 1; m }
println words.countBy { it }
println words.groupBy { it }.collectEntries { k, v -> [k, v.size()] }.sort { -it.value }.keySet().first()
