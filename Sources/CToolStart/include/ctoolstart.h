// What has to be settled before the libraries that a command line tool is linked with start.
#ifndef CTOOLSTART_H
#define CTOOLSTART_H

// Does nothing; naming it links what runs before everything else.
void ctoolstart_link(void);

#endif
