// Code that runs before the libraries of a command-line tool start.
#ifndef CTOOLSTART_H
#define CTOOLSTART_H

// Does nothing; a reference to it links the code that runs before everything else.
void ctoolstart_link(void);

#endif
