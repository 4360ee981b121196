"""implicit's item-item cosine on "user item" lines: prints CPU seconds."""
import sys
import time

import numpy
import scipy.sparse
from implicit.nearest_neighbours import CosineRecommender

pairs = numpy.loadtxt(sys.stdin, dtype=numpy.int32)
matrix = scipy.sparse.csr_matrix(
    (numpy.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])))
started = time.process_time()
CosineRecommender(K=50, num_threads=1).fit(matrix, show_progress=False)
print("%.3f" % (time.process_time() - started))
