-- Where the person's face is: left, top, width and height in pixels of the upright picture. Null for pictures of before.
ALTER TABLE face_pictures ADD COLUMN face_box real[] CHECK (array_length(face_box, 1) = 4);
