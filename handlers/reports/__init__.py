"""Reports: reading what a message says (`reading`), and gathering one sender's pieces until they are one (`gathering`)."""
