def sb = new StringBuilder()
sb << "a" << 1 << "b"
sb.append("c").append(2)
println sb
println sb.length()
println sb.toString().class.simpleName
sb.insert(0, "x")
println sb
sb.deleteCharAt(0)
println sb
println sb.reverse()
