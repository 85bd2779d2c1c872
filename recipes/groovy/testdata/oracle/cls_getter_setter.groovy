class T {
    private double c
    double getF() { c * 9 / 5 + 32 }
    void setF(double f) { c = (f - 32) * 5 / 9 }
    def getReadOnly() { "ro" }
}
def t = new T()
t.f = 212
println t.f
println t.readOnly
try { t.readOnly = 1 } catch (ReadOnlyPropertyException e) { println "read only" }
