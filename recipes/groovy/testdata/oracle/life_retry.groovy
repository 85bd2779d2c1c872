def attempts = 0
def withRetry(int times, Closure body) {
    def last
    for (int i = 1; i <= times; i++) {
        try { return body(i) } catch (IllegalStateException e) { last = e; println "attempt $i failed: ${e.message}" }
    }
    throw new RuntimeException("gave up after $times", last)
}
println withRetry(3) { n -> if (n < 3) throw new IllegalStateException("not yet $n"); "up after $n" }
try { withRetry(2) { throw new IllegalStateException("never") } } catch (e) { println e.message + " / " + e.cause.message }
