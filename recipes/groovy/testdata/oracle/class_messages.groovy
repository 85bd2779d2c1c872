def m = { c -> try { c() } catch (e) { println e.class.simpleName + ": " + e.message.readLines()[0].replaceAll(/ \(did.*/, "") } }
m { def k = Integer; k."${"no" + "pe"}"() }
m { def k = [Integer]; k[0]."${"NO" + "PE"}" }
class Own { static int x = 1 }
m { [Own][0]."${"no" + "pe"}"(1) }
m { [Own][0]."${"" + "y"}" }
m { [new Own()][0]."${"no" + "pe"}"() }
def a = new java.util.concurrent.atomic.AtomicInteger(3)
println a.incrementAndGet() + a.getAndAdd(5)
println a.get() + " " + a.compareAndSet(9, 1) + " " + a.intValue()
println new java.util.concurrent.atomic.AtomicBoolean(true).getAndSet(false)
println((1..20).collect { "k$it".toString() }.toSet())
println new HashSet(["z", "b", "a", "m"])
