throw "text"
