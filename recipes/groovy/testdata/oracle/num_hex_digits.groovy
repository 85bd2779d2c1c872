println 0xb8000000
println 0xBEEF
println 0xbL
println 0x0b
println 0b0101
println 0B1
println 0x00
println 0b0
println 017
println 0xBbBg
println 0xb_b
println 0x1F
println 0xffffffff
println 0x80000000
println 0x7fffffff
println 0xb0000000
println 0x90000000
println 0xc0000000
println 0xf0000000
println 0xffffffffffffffff
println 0xffffffffffffffffL
println 0x8000000000000000
println 0xb000000000000000
println 0xa000000000000000
println 0b11111111111111111111111111111111
println 0b1111111111111111111111111111111111111111111111111111111111111111
println 037777777777
println 01777777777777777777777
println 0xffffffffG
println 0xffffffffL
println 0xA0000000L
println 0xE0000000
println 0xD0000000
println((0xffffffffi) + ' ' + (0xffffffffi).class)
println((0xffffffffffffffffi) + ' ' + (0xffffffffffffffffi).class)
println((4294967295i) + ' ' + (4294967295i).class)
println((2147483648i) + ' ' + (2147483648i).class)
println((9223372036854775808L) + ' ' + (9223372036854775808L).class)
println((0x1ffffffffffffffffL) + ' ' + (0x1ffffffffffffffffL).class)
println((0x7fffffffi) + ' ' + (0x7fffffffi).class)
println((-2147483648i) + ' ' + (-2147483648i).class)
println((-9223372036854775808L) + ' ' + (-9223372036854775808L).class)
println((-0x80000000) + ' ' + (-0x80000000).class)
