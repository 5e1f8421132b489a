/** Sizes of a chart to choose from. The stylesheet applies the choice, so it works without a script. */
export function Zoom() {
  return (
    <fieldset class="chart-zoom">
      <legend>Size</legend>
      <ZoomLevel value="fit" label="Fit width" isChecked />
      <ZoomLevel value="whole" label="Whole" />
      <ZoomLevel value="actual" label="100 %" />
      <ZoomLevel value="large" label="150 %" />
    </fieldset>
  );
}

function ZoomLevel({ value, label, isChecked }: { value: string; label: string; isChecked?: boolean }) {
  const id = `zoom-${value}`;
  return (
    <label for={id}>
      <input type="radio" name="zoom" value={value} id={id} checked={isChecked} autocomplete="off" /> {label}
    </label>
  );
}
