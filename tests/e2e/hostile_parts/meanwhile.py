"""What goes on beside the rest of a test."""
import threading


class Meanwhile(threading.Thread):
    """Work on a thread of its own; result() is what it returned, or raises what it raised."""

    def __init__(self, work, *arguments):
        super().__init__(daemon=True)
        self.work, self.arguments = work, arguments
        self.value = self.fault = None
        self.start()

    def run(self):
        try:
            self.value = self.work(*self.arguments)
        except Exception as fault:
            self.fault = fault

    def result(self):
        self.join()
        if self.fault:
            raise self.fault
        return self.value
