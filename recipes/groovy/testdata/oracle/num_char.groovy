def c = 'a' as char
println c
println c.class
println c + 1
println((char) (c + 1))
println c == 'a'
println 'abc'.charAt(1)
println 'abc'.charAt(1).class
c++
println c
