import java.util.ArrayList as AL
def l = new AL()
l << 1
println l
println new java.util.LinkedHashMap().getClass().simpleName
