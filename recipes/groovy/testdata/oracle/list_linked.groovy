def l = new LinkedList([1, 2])
l.addFirst(0)
l.addLast(3)
println l
println l.removeFirst()
println l.class.simpleName
println l.getFirst()
println l.peek()
println l.poll()
