def d = new ArrayDeque([1, 2, 3])
d.push(0)
d.add(4)
println([d.peek(), d.pop(), d.poll(), d.pollFirst(), d.pollLast(), d])
println d.class.simpleName
println d instanceof Deque
println d instanceof List
d.clear()
println([d.poll(), d.pollFirst(), d.pollLast(), d.peek()])
try { d.pop() } catch (NoSuchElementException e) { println 'none' }
def l = new LinkedList([1, 2, 3]) // a List: pop and push are Groovy's
println l.pop()
l.push(5)
println l
println([l.poll(), l.pollLast(), l])
