List<String> l = new ArrayList<String>()
l.add("a")
Map<String, List<Integer>> m = [:]
m.x = [1]
println l
println m
def <T> T same(T t) { t }
println same(5)
