def x = (1 + 
