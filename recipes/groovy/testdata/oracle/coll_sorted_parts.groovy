def m = new TreeMap([1: "a", 3: "c", 5: "e", 7: "g"])
println m.headMap(5)
println m.headMap(5, true)
println m.tailMap(3)
println m.tailMap(3, false)
println m.subMap(2, 7)
println m.subMap(3, false, 7, true)
println([m.floorKey(4), m.ceilingKey(4), m.lowerKey(1), m.higherKey(7), m.floorKey(5), m.higherKey(5), m.lowerKey(5), m.ceilingKey(5)])
println m.floorEntry(4).value + m.ceilingEntry(4).value
println m.firstEntry().key + " " + m.lastEntry().value
println m.descendingMap()
println m.descendingKeySet()
println m.pollFirstEntry().value + " " + m.pollLastEntry().key
println m
println m.subMap([3, 5])
def s = new TreeSet([1, 3, 5, 7])
println s.headSet(5)
println s.tailSet(5)
println s.subSet(1, 5)
println s.subSet(1, false, 5, true)
println([s.floor(4), s.ceiling(4), s.lower(1), s.higher(7)])
println s.descendingSet()
println s.pollFirst() + " " + s.pollLast()
println s
def rev = new TreeSet(Collections.reverseOrder())
rev.addAll([1, 2, 3])
println rev.headSet(2)
println rev.floor(5)
println rev.ceiling(5)
def q = new PriorityQueue()
[5, 1, 4, 1, 3].each { q << it }
q.offer(2)
println q.peek() + " " + q.size()
def out = []
while (q) { out << q.poll() }
println out
println q.poll()
def byLen = new PriorityQueue(3, { a, b -> a.size() <=> b.size() } as Comparator)
["ccc", "a", "bb"].each { byLen.add(it) }
println byLen.poll() + byLen.poll() + byLen.poll()
def d = new LinkedList([1, 2, 3])
println d.peekFirst() + " " + d.peekLast()
d.offerFirst(0); d.offerLast(4)
println d
println d.pollFirst() + " " + d.pollLast() + " " + d
println d.descendingIterator().collect { it }
def dq = new ArrayDeque()
dq.push("a"); dq.push("b"); dq.offerLast("c")
println dq.pollFirst() + dq.pollLast() + dq.peekLast()
println new LinkedList().peekLast()
def l = [1, 2]; l.replaceAll { it * 2 }; println l
def g(BigDecimal b) { "bd" }
def g(String b) { "st" }
println g(1.5d) + g(1) + g("x")
