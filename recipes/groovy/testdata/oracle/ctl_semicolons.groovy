def a = 1; def b = 2;
println a; println b;
