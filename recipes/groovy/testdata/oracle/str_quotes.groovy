println 'single "double" inside'
println "double 'single' inside"
println '''triple
single'''
println """triple
double"""
